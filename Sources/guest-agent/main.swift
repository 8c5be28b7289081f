import GuestAgent

GuestAgent.main()
