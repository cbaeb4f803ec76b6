"""Small client applications that the integration tests run as processes of their own."""
