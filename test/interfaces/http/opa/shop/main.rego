package shop

main := {"in": input}
