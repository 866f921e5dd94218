// Package sopstest encrypts files for tests, with SOPS's own library and keys that are made on the spot.
package sopstest
