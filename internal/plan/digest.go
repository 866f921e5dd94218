package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// digestLength is how many hexadecimal digits of a digest are told; people copy
// them.
const digestLength = 16

// Digest names the plan: two plans with the same digest do the same to the same
// objects, in the same order. It does not change with the status of an object
// or with fields that the plan leaves alone.
func (p Plan) Digest() string {
	sum := sha256.New()
	for _, stage := range p.Stages {
		for _, step := range stage.Steps {
			fmt.Fprintf(sum, "%s\x00%d\x00%s\x00%+v\x00%s\x00%+v\x00%q\x00%s\n",
				stage.Phase, stage.Wave, step.Action, step.Reference, step.UID, step.Options, step.Fields, step.Hash)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:digestLength]
}
