// Command fairlead is the GitOps continuous-delivery system in one binary; its
// commands are in package cli.
package main

import (
	"os"

	"github.com/fairlead-cd/fairlead/internal/cli"
)

func main() { os.Exit(cli.Main()) }
