    AND trimBoth(stream_id) IN (SELECT stream_id FROM format(Native, base64Decode('$sessions')))
    AND (trimBoth(stream_id), trimBoth(request_id)) IN (
        SELECT stream_id, request_id
        FROM format(Native, base64Decode('$sessions'))
    )
