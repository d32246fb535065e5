ALTER TABLE livepeer_analytics.$table ADD COLUMN IF NOT EXISTS $column AFTER $before
