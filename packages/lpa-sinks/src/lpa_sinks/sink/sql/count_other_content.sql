SELECT count() FROM ($other_content)
