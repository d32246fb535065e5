-- What an insert into the table would do to the rows: the types of its columns, its defaults and its constraints.
SELECT indexOf([$checks], 0) AS violated, ignore(*)
FROM (
    SELECT *, $computed
    FROM (
        SELECT $given
        FROM format(Native, base64Decode('$rows')) AS carried
    )
)
