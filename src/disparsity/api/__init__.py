"""Public functions of the package: `import disparsity` gives them, each loaded when it is first used."""
