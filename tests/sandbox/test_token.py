"""Google's token endpoint and the bearer on every call."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from conftest import Caller, assertion

from heliograph.sandbox import World, make_service_account, read_account, read_accounts
from heliograph.errors import SetupError
