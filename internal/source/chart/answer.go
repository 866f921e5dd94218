package chart

import "time"

// location is where a version of a chart was found. It is kept on disk.
type location struct {
	// Version as the repository writes it.
	Version string `json:"version"`
	// Digest of the archive, sha256 in hexadecimal.
	Digest string `json:"digest"`
	// URL of the archive.
	URL string `json:"url,omitempty"`
	// Size of the archive where the repository says it.
	Size int64 `json:"size,omitempty"`
	// Downloaded tells that these credentials have downloaded the archive.
	Downloaded bool `json:"downloaded,omitempty"`
}

// pin is which version a range has been resolved to. It is kept on disk.
type pin struct {
	Version string    `json:"version"`
	At      time.Time `json:"at"`
}
