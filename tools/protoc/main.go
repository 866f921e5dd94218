// Command protoc stands in for the protocol compiler where go-to-protobuf wants one, so that
// generating code needs nothing that the Go module proxy does not serve. It knows the arguments that
// go-to-protobuf gives, no more:
//
//	protoc -I dir ... --gogo_out=dir file.proto
//
// It compiles the file and has protoc-gen-gogo, found in PATH, write the code.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "protoc:", err)
		os.Exit(1)
	}
}

// arguments are what go-to-protobuf asks for.
type arguments struct {
	imports []string // folders that files are looked for in
	out     string   // folder that code is written below
	file    string   // file to compile, in one of the folders
}

func parse(args []string) (arguments, error) {
	var a arguments
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "-I" && i+1 < len(args):
			i++
			a.imports = append(a.imports, args[i])
		case strings.HasPrefix(arg, "--gogo_out="):
			a.out = strings.TrimPrefix(arg, "--gogo_out=")
		case strings.HasPrefix(arg, "-"):
			return a, fmt.Errorf("argument %s is not supported", arg)
		default:
			a.file = arg
		}
	}
	if a.out == "" || a.file == "" {
		return a, errors.New("want --gogo_out=dir and a file")
	}
	return a, nil
}

func run(ctx context.Context, args []string) error {
	a, err := parse(args)
	if err != nil {
		return err
	}
	name, err := importName(a)
	if err != nil {
		return err
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: a.imports}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	files, err := compiler.Compile(ctx, name)
	if err != nil {
		return fmt.Errorf("compile %s: %w", name, err)
	}
	request := &pluginpb.CodeGeneratorRequest{FileToGenerate: []string{name}}
	addWithImports(request, files[0], map[string]bool{})
	response, err := generate(ctx, request)
	if err != nil {
		return err
	}
	for _, f := range response.GetFile() {
		if err := os.WriteFile(filepath.Join(a.out, f.GetName()), []byte(f.GetContent()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// importName returns the name of the file relative to the folder that holds it, as imports have it.
// The longest folder wins, as "." holds every relative path.
func importName(a arguments) (string, error) {
	best := ""
	for _, dir := range a.imports {
		rel, err := filepath.Rel(dir, a.file)
		if err == nil && filepath.IsLocal(rel) && (best == "" || len(rel) < len(best)) {
			best = filepath.ToSlash(rel)
		}
	}
	if best == "" {
		return "", fmt.Errorf("%s lies in none of the folders given by -I", a.file)
	}
	return best, nil
}

// addWithImports adds the file to the request, after everything it imports.
func addWithImports(request *pluginpb.CodeGeneratorRequest, file protoreflect.FileDescriptor, done map[string]bool) {
	if done[file.Path()] {
		return
	}
	done[file.Path()] = true
	imports := file.Imports()
	for i := range imports.Len() {
		addWithImports(request, imports.Get(i).FileDescriptor, done)
	}
	request.ProtoFile = append(request.ProtoFile, protoutil.ProtoFromFileDescriptor(file))
}

// generate has the plugin answer the request.
func generate(ctx context.Context, request *pluginpb.CodeGeneratorRequest) (*pluginpb.CodeGeneratorResponse, error) {
	input, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "protoc-gen-gogo")
	cmd.Stdin = bytes.NewReader(input)
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run protoc-gen-gogo: %w", err)
	}
	response := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(output, response); err != nil {
		return nil, fmt.Errorf("read the answer of protoc-gen-gogo: %w", err)
	}
	if response.Error != nil {
		return nil, fmt.Errorf("protoc-gen-gogo: %s", response.GetError())
	}
	return response, nil
}
