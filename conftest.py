"""Options, order and fixtures that all test folders share."""

pytest_plugins = ["tests.fixtures", "tests.studios", "tests.shop"]
