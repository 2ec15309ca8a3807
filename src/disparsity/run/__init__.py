"""One run: folder, checks, context, resumable training, manifest, status, stages."""
