// SPDX-License-Identifier: Apache-2.0

package usersymbol

import "container/list"

// cache is an LRU cache, bounded by the bytes of its values.
type cache[K comparable, V any] struct {
	limit, used int
	entries     map[K]*list.Element // of *cached[K, V]
	order       *list.List          // the most recently used first
}

type cached[K comparable, V any] struct {
	key   K
	value V
	bytes int
}

func newCache[K comparable, V any](limit int) *cache[K, V] {
	return &cache[K, V]{limit: limit, entries: map[K]*list.Element{}, order: list.New()}
}

func (c *cache[K, V]) get(key K) (V, bool) {
	e, ok := c.entries[key]
	if !ok {
		var none V
		return none, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached[K, V]).value, true
}

// put adds a value and replaces an earlier one with the same key. It does not keep a value
// larger than the limit.
func (c *cache[K, V]) put(key K, value V, bytes int) {
	if e, ok := c.entries[key]; ok {
		c.drop(e)
	}
	if bytes > c.limit {
		return
	}
	for c.used+bytes > c.limit {
		c.drop(c.order.Back())
	}
	c.entries[key] = c.order.PushFront(&cached[K, V]{key, value, bytes})
	c.used += bytes
}

func (c *cache[K, V]) drop(e *list.Element) {
	old := c.order.Remove(e).(*cached[K, V])
	delete(c.entries, old.key)
	c.used -= old.bytes
}
