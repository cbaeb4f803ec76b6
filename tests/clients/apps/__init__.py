"""Small applications that the tests with client programs run."""
