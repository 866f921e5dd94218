// Package redisserver runs a real Redis server for tests, on the loopback.
package redisserver
