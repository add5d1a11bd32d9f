"""Networks whose published weights can be imported: their parameters bear the published names."""
