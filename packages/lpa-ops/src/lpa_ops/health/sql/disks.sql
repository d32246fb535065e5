SELECT name, unreserved_space, total_space
FROM system.disks
