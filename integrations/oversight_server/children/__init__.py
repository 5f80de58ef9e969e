"""Reviews in processes of their own, so that no change can take the server down with it.

pool.py    children: started, asked, watched, ended; what a review loses when its child is lost
child.py   what runs in one: messages in, reports out; no secrets, no network, bounds on memory and time
wire.py    values as JSON and back, checked, since a child that read hostile text is not believed blindly
"""
