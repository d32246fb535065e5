-- severity: fail
-- covers: 8
-- meaning: No materialized view feeds a table of this schema: facts and dimensions are written by lpa materialize,
--   which a view would double.
-- to do: drop the view
SELECT name, create_table_query
FROM system.tables
WHERE engine = 'MaterializedView' AND database = 'livepeer_analytics'
    AND match(create_table_query, '(fact|dim|agg)_[a-z]')
