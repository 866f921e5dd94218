//go:build !linux

package worker_test

func surroundings() []string { return nil }
