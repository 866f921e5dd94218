package helm

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// durationFunctions read durations: "1h30m", or a number of seconds, which may be text. Except for mustToDuration, what
// cannot be read is zero.
func durationFunctions() template.FuncMap {
	in := func(unit time.Duration) func(any) float64 {
		return func(v any) float64 {
			d, _ := duration(v)
			return float64(d/unit) + float64(d%unit)/float64(unit)
		}
	}
	whole := func(unit time.Duration) func(any) int64 {
		return func(v any) int64 { d, _ := duration(v); return int64(d / unit) }
	}
	multiple := func(of func(d, unit time.Duration) time.Duration) func(v, unit any) time.Duration {
		return func(v, unit any) time.Duration {
			d, err := duration(v)
			u, unitErr := duration(unit)
			if err != nil || unitErr != nil {
				return d
			}
			return of(d, u)
		}
	}
	return template.FuncMap{
		"mustToDuration":       duration,
		"durationNanoseconds":  whole(time.Nanosecond),
		"durationMicroseconds": whole(time.Microsecond),
		"durationMilliseconds": whole(time.Millisecond),
		"durationSeconds":      in(time.Second),
		"durationMinutes":      in(time.Minute),
		"durationHours":        in(time.Hour),
		"durationDays":         func(v any) float64 { return in(time.Hour)(v) / 24 },
		"durationWeeks":        func(v any) float64 { return in(time.Hour)(v) / 24 / 7 },
		"durationRoundTo":      multiple(time.Duration.Round),
		"durationTruncateTo":   multiple(time.Duration.Truncate),
	}
}

var errDuration = errors.New("not a duration")

func duration(v any) (time.Duration, error) {
	switch v := v.(type) {
	case time.Duration:
		return v, nil
	case string:
		text := strings.TrimSpace(v)
		if d, err := time.ParseDuration(text); err == nil {
			return d, nil
		}
		if seconds, err := strconv.ParseFloat(text, 64); err == nil {
			return ofSeconds(seconds)
		}
		return 0, fmt.Errorf("%q is %w", v, errDuration)
	}
	const most = math.MaxInt64 / int64(time.Second)
	value := reflect.ValueOf(v)
	switch {
	case value.CanInt() && -most <= value.Int() && value.Int() <= most:
		return time.Duration(value.Int()) * time.Second, nil
	case value.CanUint() && value.Uint() <= uint64(most):
		return time.Duration(value.Uint()) * time.Second, nil
	case value.CanFloat():
		return ofSeconds(value.Float())
	}
	return 0, fmt.Errorf("%v is %w", v, errDuration)
}

func ofSeconds(seconds float64) (time.Duration, error) {
	nanoseconds := seconds * float64(time.Second)
	if math.IsNaN(nanoseconds) || math.Abs(nanoseconds) > float64(math.MaxInt64) {
		return 0, fmt.Errorf("%v seconds are %w", seconds, errDuration)
	}
	return time.Duration(nanoseconds), nil
}
