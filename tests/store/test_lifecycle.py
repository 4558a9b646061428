async def test_open(opened):
    await opened.ready()
    assert await opened.next_due() is None
