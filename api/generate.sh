#!/usr/bin/env bash
# Regenerates everything that is made from the Go types in api/: deep copies, the protobuf code and
# generated.proto beside them, and the CustomResourceDefinitions in deploy/crds. It needs Go and its
# module proxy, nothing else, and gives the same result every time.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
module=$(go list -m)
packages=("$module/api/v1alpha1")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "generate: tools"
mkdir -p "$work/bin"
(
	cd tools
	go build -o "$work/bin/" \
		sigs.k8s.io/controller-tools/cmd/controller-gen \
		k8s.io/code-generator/cmd/go-to-protobuf \
		k8s.io/code-generator/cmd/go-to-protobuf/protoc-gen-gogo \
		golang.org/x/tools/cmd/goimports \
		./protoc ./crds
)
export PATH="$work/bin:$(go env GOROOT)/bin:$PATH"

# Code from an earlier state of the types may not compile, and would keep the generators from loading them.
for package in "${packages[@]}"; do
	dir=${package#"$module/"}
	rm -f "$dir/zz_generated.deepcopy.go" "$dir/generated.pb.go" "$dir/generated.proto"
done

echo "generate: deep copies"
controller-gen object paths=./api/...

# go-to-protobuf finds imported .proto files, and puts its own, by Go import path. So it gets a folder
# that has this module, and those it imports from, under their import paths.
echo "generate: protobuf"
link() { # module, folder
	mkdir -p "$work/src/$(dirname "$1")"
	ln -s "$2" "$work/src/$1"
}
link "$module" "$root"
for dependency in k8s.io/api k8s.io/apimachinery k8s.io/apiextensions-apiserver; do
	go mod download "$dependency"
	link "$dependency" "$(go list -m -f '{{.Dir}}' "$dependency")"
done
link github.com/gogo/protobuf "$(cd tools && go list -m -f '{{.Dir}}' github.com/gogo/protobuf)"

imported=(
	k8s.io/apimachinery/pkg/util/intstr
	k8s.io/apimachinery/pkg/api/resource
	k8s.io/apimachinery/pkg/runtime/schema
	k8s.io/apimachinery/pkg/runtime
	k8s.io/apimachinery/pkg/apis/meta/v1
	k8s.io/api/core/v1
	k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1
)
join() { local IFS=,; echo "$*"; }
touch "$work/header.txt"
go-to-protobuf \
	--go-header-file "$work/header.txt" \
	--output-dir "$work/src" \
	--packages "$(join "${packages[@]}")" \
	--apimachinery-packages "$(join "${imported[@]/#/-}")"

echo "generate: custom resource definitions"
mkdir -p "$work/crds" deploy/crds
controller-gen crd:crdVersions=v1 paths=./api/v1alpha1 "output:crd:dir=$work/crds"
rm -f deploy/crds/*.yaml
crds "$work/crds" deploy/crds
