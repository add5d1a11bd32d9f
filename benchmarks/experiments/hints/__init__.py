"""How a hint's colour goes over the thing that it lies on: ways compared, and weights fitted."""
