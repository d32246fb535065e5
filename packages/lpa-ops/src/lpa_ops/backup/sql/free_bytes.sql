SELECT sum(toFloat64(free_space))
FROM system.disks
