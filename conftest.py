"""What every test folder shares: options, order and fixtures."""

pytest_plugins = ["tests.fixtures", "tests.studios", "tests.shop"]
