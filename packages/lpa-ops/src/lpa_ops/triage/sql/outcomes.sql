SELECT countIf(state = 'recovered') AS recovered, countIf(state = 'given up') AS given_up
FROM ($dead_letters)
