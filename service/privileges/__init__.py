"""What a node's account may do on the database server, and what it needs: values, without I/O.

needs       which privileges are needed, and what does not work without each
statements  the GRANT statements that give them
held        what the lines of SHOW GRANTS give on a database
lacking     what is needed and not held, each with what mends it
"""
