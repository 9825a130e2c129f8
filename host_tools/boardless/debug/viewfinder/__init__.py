"""The live viewfinder: a board that runs at a watchable pace, and the page that shows it.

May import what `debug` may. Starlette and uvicorn come with the extra `view`; only `server` imports
them.
"""
