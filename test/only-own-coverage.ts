/** AVA loads this first. What a test starts runs from dist/, of which no coverage is told: writing it down would take longer than the test. */
delete process.env['NODE_V8_COVERAGE'];
