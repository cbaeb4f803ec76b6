"""What survives the process: bodies that exporters still owe, and the state of counting, in one database."""
