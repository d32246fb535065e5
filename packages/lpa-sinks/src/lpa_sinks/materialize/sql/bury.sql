-- Tombstones for what an older version says of these sessions and this one does not.
INSERT INTO $database.$table ($columns, version, is_deleted)
SELECT $columns, {version:UInt64}, 1
FROM $database.$table FINAL
WHERE (org, workflow_session_id) IN (SELECT org, workflow_session_id FROM format(Native, base64Decode('$sessions')))
    AND version < {version:UInt64}
    AND $hours
