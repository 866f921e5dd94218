package helm

import (
	"slices"
	"strings"
	"text/template/parse"
)

// listsAPIs reports whether a template may do more with .Capabilities.APIVersions than to ask it for one version. When
// in doubt it says yes: then the rendering depends on the whole list, which is never wrong.
func listsAPIs(text string) bool {
	if !mentions(text) || !strings.Contains(text, "{{") {
		return false
	}
	tree := parse.New("template")
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(text, "", "", trees); err != nil {
		return true
	}
	trees[tree.Name] = tree
	for _, t := range trees {
		if t.Root != nil && nodeListsAPIs(t.Root) {
			return true
		}
	}
	return false
}

func mentions(text string) bool {
	return strings.Contains(text, "Capabilities") || strings.Contains(text, "APIVersions")
}

// namesListAPIs judges a chain of fields: .Capabilities and .Capabilities.APIVersions must be followed by something
// harmless.
func namesListAPIs(names []string) bool {
	if i := slices.Index(names, "APIVersions"); i >= 0 {
		return i+1 >= len(names) || names[i+1] != "Has"
	}
	i := slices.Index(names, "Capabilities")
	return i >= 0 && i+1 >= len(names)
}

func nodeListsAPIs(node parse.Node) bool {
	switch n := node.(type) {
	case *parse.ListNode:
		return n != nil && slices.ContainsFunc(n.Nodes, nodeListsAPIs)
	case *parse.ActionNode:
		return nodeListsAPIs(n.Pipe)
	case *parse.PipeNode:
		return n != nil && slices.ContainsFunc(n.Cmds, func(c *parse.CommandNode) bool { return nodeListsAPIs(c) })
	case *parse.CommandNode:
		return slices.ContainsFunc(n.Args, nodeListsAPIs)
	case *parse.IfNode:
		return branchListsAPIs(&n.BranchNode)
	case *parse.RangeNode:
		return branchListsAPIs(&n.BranchNode)
	case *parse.WithNode:
		return branchListsAPIs(&n.BranchNode)
	case *parse.TemplateNode:
		return nodeListsAPIs(n.Pipe)
	case *parse.FieldNode:
		return namesListAPIs(n.Ident)
	case *parse.VariableNode:
		return namesListAPIs(n.Ident)
	case *parse.ChainNode:
		return namesListAPIs(n.Field) || nodeListsAPIs(n.Node)
	case *parse.StringNode:
		return n.Text == "Capabilities" || n.Text == "APIVersions" || listsAPIs(n.Text)
	}
	return false
}

func branchListsAPIs(n *parse.BranchNode) bool {
	return nodeListsAPIs(n.Pipe) || nodeListsAPIs(n.List) || nodeListsAPIs(n.ElseList)
}

// mentionsAPIs is listsAPIs for values, which are templates when they go through tpl.
func mentionsAPIs(value any) bool {
	switch value := value.(type) {
	case string:
		return listsAPIs(value)
	case map[string]any:
		for _, v := range value {
			if mentionsAPIs(v) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(value, mentionsAPIs)
	}
	return false
}
