substring(lower(trimBoth($url)), 1, length(trimBoth($url)) - endsWith(trimBoth($url), '/'))
