"""Traffic that really happens: releases are HTTP processes on this machine, behind a proxy that splits requests."""
