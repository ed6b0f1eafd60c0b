// SPDX-License-Identifier: Apache-2.0

package usersymbol

import "container/list"

// cache keeps values up to a number of bytes. It drops those not asked for longest.
type cache[K comparable, V any] struct {
	limit, used int
	entries     map[K]*list.Element // of *cached[K, V]
	order       *list.List          // the latest first
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

// put keeps a value, in place of an earlier one with this key. One that is larger
// than all the room is not kept.
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
