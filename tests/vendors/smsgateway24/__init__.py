"""SmsGateway24Client over real sockets."""
