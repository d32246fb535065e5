"""Files that belong together, kept in a folder or an object store, with a manifest that is written last."""
