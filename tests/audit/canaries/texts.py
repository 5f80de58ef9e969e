"""A file in each language that defects can be planted in: a guard, a comparison, a failure, a lock, an assertion."""

from __future__ import annotations

TEXTS: dict[str, tuple[str, str]] = {
    "c": ("tests/a.c", """\
int f(int n, struct item *item)
{
	int limit = 10;
	int ret = 0;

	if (!item)
		return -EINVAL;
	if (n < limit) {
		ret = g(n);
		if (ret)
			return ret;
	}
	pthread_mutex_lock(&item->lock);
	item->n = n;
	pthread_mutex_unlock(&item->lock);
	assert(item->n == n);
	return 0;
}
"""),
    "cpp": ("tests/a.cc", """\
Status F(int n, Item* item) {
  int limit = 10;
  if (item == nullptr) {
    return Status::InvalidArgument("item");
  }
  MutexLock lock(&item->mutex_);
  while (n <= limit) {
    Status s = item->Put(n++);
    if (!s.ok()) return s;
  }
  ASSERT_EQ(item->size(), 1);
  return Status::OK();
}
"""),
    "python": ("tests/test_a.py", """\
def f(self, n, item):
    limit = 10
    if item is None:
        return None
    with self.lock:
        item.n = n
        self.total += n
    if n >= limit:
        try:
            self.flush(n)
        except OSError:
            self.failed = True
            raise
    assert item.n == n
    return n
"""),
    "go": ("a_test.go", """\
package a

func f(n int, item *Item) error {
	limit := 10
	if item == nil {
		return nil
	}
	item.mu.Lock()
	defer item.mu.Unlock()
	for n < limit {
		n++
	}
	if err := item.Put(n); err != nil {
		return err
	}
	require.Equal(t, n, item.n)
	return nil
}
"""),
    "java": ("src/test/java/ATest.java", """\
class ATest {
    int f(int n, Item item) {
        int limit = 10;
        if (item == null) {
            return 0;
        }
        item.lock();
        item.n = n > limit ? limit : n;
        item.unlock();
        try {
            item.put(n);
        } catch (IOException e) {
            log(e);
            throw new IllegalStateException(e);
        }
        assertEquals(n, item.n);
        return n;
    }
}
"""),
    "javascript": ("test/a.test.js", """\
function f(n, item) {
  const limit = 10;
  if (!item) {
    return null;
  }
  mutex.acquire();
  item.n = n < limit ? n : limit;
  mutex.release();
  try {
    item.put(n);
  } catch (error) {
    log(error);
    throw error;
  }
  expect(item.n).toBe(n);
  return n;
}
"""),
    "rust": ("tests/a.rs", """\
fn f(n: usize, item: &mut Item) -> Result<(), Error> {
    let limit = 10;
    if item.closed {
        return Err(Error::Closed);
    }
    let _held = item.mutex.lock().unwrap();
    while item.n < limit {
        item.n += n;
    }
    assert_eq!(item.n, limit);
    Ok(())
}
"""),
    "c-sharp": ("tests/ATests.cs", """\
class ATests {
    int F(int n, Item item) {
        int limit = 10;
        if (item == null) {
            return 0;
        }
        item.Lock();
        item.N = n > limit ? limit : n;
        item.Unlock();
        try {
            item.Put(n);
        } catch (IOException e) {
            Log(e);
            throw;
        }
        Assert.Equal(n, item.N);
        return n;
    }
}
"""),
    "php": ("tests/ATest.php", """\
<?php
function f($n, $item) {
    $limit = 10;
    if ($item === null) {
        return null;
    }
    $item->lock();
    $item->n = $n > $limit ? $limit : $n;
    $item->unlock();
    try {
        $item->put($n);
    } catch (Failure $e) {
        report($e);
        throw $e;
    }
    $this->assertEquals($n, $item->n);
    return $n;
}
"""),
}  # fmt: skip
TEXTS["typescript"] = ("test/a.test.ts", TEXTS["javascript"][1])
TEXTS["tsx"] = ("test/a.test.tsx", TEXTS["javascript"][1])
