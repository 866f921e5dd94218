//go:build race

package worker

// raceDetector tells that the binary looks at its own memory map when it starts.
const raceDetector = true
