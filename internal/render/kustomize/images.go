package kustomize

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/pkg/util"
	"sigs.k8s.io/kustomize/api/types"
)

// keep in place of a name, tag or digest leaves what the kustomization says.
const keep = "*"

// images override the kustomization's own by name.
func (e edit) images(ctx context.Context, k *types.Kustomization) error {
	if len(e.settings.Images) == 0 {
		return nil
	}
	images := map[string]types.Image{}
	for _, text := range e.settings.Images {
		expanded, err := e.expand(ctx, string(text))
		if err != nil {
			return err
		}
		image, err := parseImage(expanded)
		if err != nil {
			return err
		}
		images[image.Name] = image
	}
	for _, own := range k.Images {
		image, overridden := images[own.Name]
		if !overridden {
			images[own.Name] = own
			continue
		}
		image.NewName = kept(image.NewName, own.NewName)
		image.NewTag = kept(image.NewTag, own.NewTag)
		image.Digest = kept(image.Digest, own.Digest)
		images[own.Name] = image
	}
	k.Images = k.Images[:0:0]
	for _, name := range slices.Sorted(maps.Keys(images)) {
		image := images[name]
		image.NewName, image.NewTag, image.Digest = kept(image.NewName, ""), kept(image.NewTag, ""), kept(image.Digest, "")
		k.Images = append(k.Images, image)
	}
	return nil
}

func kept(value, own string) string {
	if value == keep {
		return own
	}
	return value
}

// parseImage reads [old=]new[:tag][@digest] and old[:tag][@digest].
func parseImage(text string) (types.Image, error) {
	old, value, replaces := strings.Cut(text, "=")
	if !replaces {
		value = text
	}
	name, tag, digest := util.SplitImageName(value)
	if name == text || name == "" || replaces && old == "" {
		return types.Image{}, fmt.Errorf(
			"%q says no change of an image; write name:tag, name@digest or name=new-name, with a tag or digest if need be", text)
	}
	image := types.Image{Name: name, NewTag: tag, Digest: digest}
	if replaces {
		image.Name, image.NewName = old, name
	}
	return image, nil
}
