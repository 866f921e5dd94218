package compare

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/itchyny/gojq"
)

// expression is a jq path that is deleted from objects.
type expression struct {
	text string
	code *gojq.Code
}

// compileExpression compiles a path expression of jq. It can reach neither
// files, nor the environment, nor modules.
func compileExpression(text string) (expression, error) {
	query, err := gojq.Parse("del(" + text + ")")
	if err != nil {
		return expression{}, fmt.Errorf("%q is no path expression of jq: %w", text, err)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return expression{}, fmt.Errorf("%q is no path expression of jq: %w", text, err)
	}
	return expression{text: text, code: code}, nil
}

// deleteFrom returns object without what the expression selects. An expression
// that does not fit the object, such as an index into a field that is no list,
// selects nothing. One that takes too long is an error.
func (e expression) deleteFrom(object map[string]any, timeout time.Duration) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	result, ok := e.code.RunWithContext(ctx, toJQ(object)).Next()
	if !ok {
		return object, nil
	}
	switch result := result.(type) {
	case error:
		if errors.Is(result, context.DeadlineExceeded) {
			return nil, fmt.Errorf("the jq expression %q took longer than %s and was stopped; make it simpler or raise the limit (ignore.normalizer.jq.timeout)", e.text, timeout)
		}
		return object, nil
	case map[string]any:
		back, ok := fromJQ(result).(map[string]any)
		if ok {
			return back, nil
		}
	}
	return object, nil
}

// toJQ copies a value with the one type of integers that gojq knows.
func toJQ(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = toJQ(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = toJQ(value)
		}
		return out
	case int64:
		return int(v)
	default:
		return v
	}
}

// fromJQ turns the integers of a result of gojq back, in place.
func fromJQ(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = fromJQ(value)
		}
		return v
	case []any:
		for i, value := range v {
			v[i] = fromJQ(value)
		}
		return v
	case int:
		return int64(v)
	case *big.Int:
		if v.IsInt64() {
			return v.Int64()
		}
		float, _ := new(big.Float).SetInt(v).Float64()
		return float
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return v
	default:
		return v
	}
}
