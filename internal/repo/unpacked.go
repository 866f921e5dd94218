package repo

import (
	"bytes"
	"context"
	"fmt"

	"github.com/maypok86/otter/v2"

	"github.com/fairlead-cd/fairlead/internal/source/archive"
	"github.com/fairlead-cd/fairlead/internal/source/chart"
)

// maxUnpacked bounds the memory for charts that are sources themselves, in bytes.
const maxUnpacked = 64 << 20

// unpacked keeps the files of charts by the digest of their archive. It is safe for concurrent use.
type unpacked struct {
	kept *otter.Cache[string, *archive.Files]
}

func newUnpacked() unpacked {
	return unpacked{otter.Must(&otter.Options[string, *archive.Files]{
		MaximumWeight: maxUnpacked,
		Weigher:       func(_ string, f *archive.Files) uint32 { return uint32(min(f.Size(), maxUnpacked)) + 1024 },
	})}
}

// files unpacks a chart. Its root is the chart's own folder.
func (u unpacked) files(ctx context.Context, found chart.Chart) (*archive.Files, error) {
	if files, ok := u.kept.GetIfPresent(found.Digest); ok {
		return files, nil
	}
	content, err := found.Archive(ctx)
	if err != nil {
		return nil, err
	}
	files, err := archive.Unpack(bytes.NewReader(content), archive.DefaultLimits())
	if err != nil {
		return nil, err
	}
	if top := files.Top(); top != "" {
		if files, err = files.Folder(top); err != nil {
			return nil, fmt.Errorf("the archive: %w", err)
		}
	}
	u.kept.Set(found.Digest, files)
	return files, nil
}

func (u unpacked) close() { u.kept.StopAllGoroutines() }
