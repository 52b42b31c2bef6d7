module acme/words

go 1.24
