"""How time and memory grow with weights and with samples: what is measured, and the fit."""
