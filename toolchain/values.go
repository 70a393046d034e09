package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"

	"github.com/open-policy-agent/opa/v1/ast"
)

// The binary form of Rego values: a tag, then for text a length and bytes, for collections a count and the items
// (key and value in turn for objects). Lengths and counts are unsigned varints; numbers are their text.
const (
	tagNull = iota
	tagFalse
	tagTrue
	tagNumber
	tagString
	tagArray
	tagObject
	tagSet
)

const maxDepth = 2_000

var (
	errDeep   = errors.New("a value is nested too deeply")
	errTag    = errors.New("a value has an unknown tag")
	errNumber = errors.New("a number is not written as one")
	errRest   = errors.New("bytes follow the last value")
	errVar    = errors.New("a result is no value")
)

func appendText(out []byte, tag byte, text string) []byte {
	return append(binary.AppendUvarint(append(out, tag), uint64(len(text))), text...)
}

func appendCount(out []byte, tag byte, count int) []byte {
	return binary.AppendUvarint(append(out, tag), uint64(count))
}

func appendValue(out []byte, value ast.Value, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	switch value := value.(type) {
	case ast.Null:
		return append(out, tagNull), nil
	case ast.Boolean:
		if value {
			return append(out, tagTrue), nil
		}
		return append(out, tagFalse), nil
	case ast.Number:
		return appendText(out, tagNumber, string(value)), nil
	case ast.String:
		return appendText(out, tagString, string(value)), nil
	case *ast.Array:
		out = appendCount(out, tagArray, value.Len())
		var err error
		for i := 0; i < value.Len() && err == nil; i++ {
			out, err = appendValue(out, value.Elem(i).Value, depth+1)
		}
		return out, err
	case ast.Set:
		out = appendCount(out, tagSet, value.Len())
		err := value.Iter(func(item *ast.Term) (err error) {
			out, err = appendValue(out, item.Value, depth+1)
			return err
		})
		return out, err
	case ast.Object:
		out = appendCount(out, tagObject, value.Len())
		err := value.Iter(func(key, item *ast.Term) (err error) {
			if out, err = appendValue(out, key.Value, depth+1); err == nil {
				out, err = appendValue(out, item.Value, depth+1)
			}
			return err
		})
		return out, err
	}
	return nil, errVar
}

// readTerm copies what it keeps: the request's buffer is used again.
func readTerm(from []byte, depth int) (*ast.Term, []byte, error) {
	if len(from) == 0 {
		return nil, nil, errShort
	}
	if depth > maxDepth {
		return nil, nil, errDeep
	}
	tag, rest := from[0], from[1:]
	switch tag {
	case tagNull:
		return ast.NullTerm(), rest, nil
	case tagFalse, tagTrue:
		return ast.BooleanTerm(tag == tagTrue), rest, nil
	case tagNumber, tagString:
		text, rest, err := readBlob(rest)
		if err != nil {
			return nil, nil, err
		}
		if tag == tagString {
			return ast.StringTerm(string(text)), rest, nil
		}
		if !isNumber(text) {
			return nil, nil, errNumber
		}
		return ast.NumberTerm(json.Number(text)), rest, nil
	case tagArray, tagSet:
		items, rest, err := readItems(rest, 1, depth)
		if err != nil {
			return nil, nil, err
		}
		if tag == tagSet {
			return ast.SetTerm(items...), rest, nil
		}
		return ast.ArrayTerm(items...), rest, nil
	case tagObject:
		items, rest, err := readItems(rest, 2, depth)
		if err != nil {
			return nil, nil, err
		}
		object := ast.NewObject()
		for i := 0; i < len(items); i += 2 {
			object.Insert(items[i], items[i+1])
		}
		return ast.NewTerm(object), rest, nil
	}
	return nil, nil, errTag
}

func readItems(from []byte, each uint64, depth int) (items []*ast.Term, rest []byte, err error) {
	count, used := binary.Uvarint(from)
	// Every item takes a byte at least, so a hostile count cannot make this allocate more than was sent.
	if used <= 0 || count > uint64(len(from)) {
		return nil, nil, errShort
	}
	rest = from[used:]
	items = make([]*ast.Term, count*each)
	for i := range items {
		if items[i], rest, err = readTerm(rest, depth+1); err != nil {
			return nil, nil, err
		}
	}
	return items, rest, nil
}

// readWhole reads exactly one value.
func readWhole(from []byte) (*ast.Term, error) {
	term, rest, err := readTerm(from, 0)
	if err == nil && len(rest) > 0 {
		return nil, errRest
	}
	return term, err
}

// JSON's numbers, with leading zeros and an upper-case E as OPA's C code writes them.
func isNumber(text []byte) bool {
	digits := func() bool {
		start := len(text)
		for len(text) > 0 && text[0] >= '0' && text[0] <= '9' {
			text = text[1:]
		}
		return len(text) < start
	}
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	if !digits() {
		return false
	}
	if len(text) > 0 && text[0] == '.' {
		text = text[1:]
		if !digits() {
			return false
		}
	}
	if len(text) > 0 && (text[0] == 'e' || text[0] == 'E') {
		text = text[1:]
		if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
			text = text[1:]
		}
		if !digits() {
			return false
		}
	}
	return len(text) == 0
}
