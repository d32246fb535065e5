"""What a job stored in an embedded database's tables of raw rows and dead letters.

``rows_stored.py EXPECTED FOLDER RAW [DEAD]``

Each line of the file EXPECTED is wanted once: how many rows there are, how many lines are missing, how many rows are
beside them.
"""

import json
import sys

import clickhouse_connect

expected, folder, raw, *dead = sys.argv[1:]
client = clickhouse_connect.get_client(interface="chdb", path=folder)
final = "FINAL" if "Replacing" in str(client.command(f"SHOW CREATE TABLE {raw}")) else ""
lines = f"SELECT cityHash64(line) FROM file('{expected}', 'LineAsString', 'line String')"
rows, found, wanted = client.query(
    f"SELECT count(), uniqExactIf(cityHash64(raw_json) AS hash, hash IN ({lines})), (SELECT count() FROM ({lines})) "
    f"FROM {raw} {final}"
).result_rows[0]
told = {"rows": rows, "missing": wanted - found, "beside": rows - found}
for table in dead:
    told["dead"] = client.query(f"SELECT count() FROM {table}").result_rows[0][0]
print(json.dumps(told))
