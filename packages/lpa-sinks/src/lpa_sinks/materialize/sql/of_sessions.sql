    AND trimBoth(stream_id) IN (SELECT stream_id FROM format(Native, base64Decode('$sessions')))
    AND (org, trimBoth(stream_id), trimBoth(request_id)) IN (
        SELECT org, stream_id, request_id
        FROM format(Native, base64Decode('$sessions'))
    )
