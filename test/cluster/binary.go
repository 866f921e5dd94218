package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// binaryVariable names the environment variable with the program's path.
const binaryVariable = "DEVCLUSTER"

// moduleLine marks the go.mod at the root of the repository.
var moduleLine = []byte("module github.com/fairlead-cd/fairlead\n")

// findBinary returns the path of the devcluster program.
func findBinary(given string) (string, error) {
	if given == "" {
		given = os.Getenv(binaryVariable)
	}
	if given == "" {
		root, err := repositoryRoot()
		if err != nil {
			return "", err
		}
		given = filepath.Join(root, "bin", "devcluster")
	}
	if _, err := os.Stat(given); err != nil {
		return "", fmt.Errorf("the program devcluster is missing, run `make devcluster` first or set %s: %w", binaryVariable, err)
	}
	return given, nil
}

// repositoryRoot is the nearest folder upwards that holds the main module.
func repositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the root of the repository: %w", err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(text, moduleLine) {
			return dir, nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("finding the root of the repository: %w", err)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("the program devcluster is looked for in the repository, and this folder is not in it; set %s", binaryVariable)
		}
		dir = parent
	}
}
