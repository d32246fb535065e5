concat('$job_type|', if(trimBoth(request_id) = '', concat('|', raw_event_uid), trimBoth(request_id)))
