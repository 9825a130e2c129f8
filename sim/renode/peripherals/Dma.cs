using System.Collections.Generic;
using System.Linq;

using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;

namespace Antmicro.Renode.Peripherals.Boardless
{
    // A device that raises DMA requests, by the name that RM0090 gives them (tables 42 and 43).
    public interface IDmaClient
    {
        // The address of its data register.
        ulong DataAddress { get; }

        // Words of the data register in one piece.
        byte[] ReadData(int size, int count);

        void WriteData(uint value);

        // A stream that serves the request was enabled: raise it now if it stands.
        void Invite(string request);
    }

    // DMA1 or DMA2 (RM0090, chapter 10). A request is served at once; only memory-to-memory copies
    // take time. The outputs are the interrupts of the eight streams.
    public sealed class Dma : IDoubleWordPeripheral, IKnownSize, INumberedGPIOOutput
    {
        public Dma(IMachine machine, int number)
        {
            this.machine = machine;
            requests = number == 2 ? requestsOfDma2 : requestsOfDma1;
            var bus = machine.GetSystemBus(this);
            streams = Enumerable.Range(0, StreamCount)
                .Select(index => new DmaStream(machine, this, bus, index, mayCopy: number == 2))
                .ToArray();
            Connections = streams.ToDictionary(stream => stream.Index, stream => (IGPIO)stream.IRQ);
        }

        // Clients are known by the requests that they raise.
        public void Connect(string request, IDmaClient client)
        {
            clients[request] = client;
        }

        // Serves up to `units` transfers; returns how many were served.
        public int Serve(string request, int units)
        {
            foreach(var stream in streams)
            {
                if(stream.Enabled && RequestOf(stream) == request)
                {
                    return stream.Serve(clients[request], units);
                }
            }
            return 0;
        }

        public void Reset()
        {
            foreach(var stream in streams)
            {
                stream.Reset();
            }
        }

        public uint ReadDoubleWord(long offset)
        {
            if(offset < FirstStream)
            {
                return offset < InterruptClear ? Flags((int)offset / 4 * 4) : 0;
            }
            return TryFind(offset, out var stream, out var register) ? stream.Read(register) : 0;
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(offset < FirstStream)
            {
                if(offset >= InterruptClear)
                {
                    ClearFlags((int)(offset - InterruptClear) / 4 * 4, value);
                }
                return;
            }
            if(!TryFind(offset, out var stream, out var register))
            {
                this.Log(LogLevel.Warning, "register 0x{0:X} is not modelled", offset);
                return;
            }
            var wasEnabled = stream.Enabled;
            stream.Write(register, value);
            if(!wasEnabled && stream.Enabled)
            {
                var request = RequestOf(stream);
                if(request != null && clients.TryGetValue(request, out var client))
                {
                    Delay.Synchronise(machine); // what the client starts, it starts now
                    client.Invite(request);
                }
            }
        }

        public long Size => 0x400;

        public IReadOnlyDictionary<int, IGPIO> Connections { get; }

        private string RequestOf(DmaStream stream)
        {
            return requests.TryGetValue(stream.Index * 8 + stream.Channel, out var name) ? name : null;
        }

        private uint Flags(int first)
        {
            return (uint)Enumerable.Range(0, 4).Sum(at => streams[first + at].Flags << flagShift[at]);
        }

        private void ClearFlags(int first, uint value)
        {
            for(var at = 0; at < 4; at++)
            {
                streams[first + at].Clear(value >> flagShift[at]);
            }
        }

        private bool TryFind(long offset, out DmaStream stream, out int register)
        {
            var index = (int)(offset - FirstStream) / StreamStride;
            register = (int)(offset - FirstStream) % StreamStride;
            stream = index < StreamCount ? streams[index] : null;
            return stream != null;
        }

        // Key: stream * 8 + channel.
        private static readonly Dictionary<int, string> requestsOfDma1 = new Dictionary<int, string>
        {
            { 0 * 8 + 4, "UART5_RX" }, { 1 * 8 + 4, "USART3_RX" }, { 2 * 8 + 4, "UART4_RX" },
            { 3 * 8 + 4, "USART3_TX" }, { 4 * 8 + 4, "UART4_TX" }, { 4 * 8 + 7, "USART3_TX" },
            { 5 * 8 + 4, "USART2_RX" }, { 6 * 8 + 4, "USART2_TX" }, { 7 * 8 + 4, "UART5_TX" },
        };

        private static readonly Dictionary<int, string> requestsOfDma2 = new Dictionary<int, string>
        {
            { 1 * 8 + 1, "DCMI" }, { 7 * 8 + 1, "DCMI" },
            { 2 * 8 + 4, "USART1_RX" }, { 5 * 8 + 4, "USART1_RX" }, { 7 * 8 + 4, "USART1_TX" },
            { 1 * 8 + 5, "USART6_RX" }, { 2 * 8 + 5, "USART6_RX" },
            { 6 * 8 + 5, "USART6_TX" }, { 7 * 8 + 5, "USART6_TX" },
        };

        private static readonly int[] flagShift = { 0, 6, 16, 22 };

        private readonly IMachine machine;
        private readonly Dictionary<int, string> requests;
        private readonly Dictionary<string, IDmaClient> clients = new Dictionary<string, IDmaClient>();
        private readonly DmaStream[] streams;

        private const int StreamCount = 8;
        private const int StreamStride = 0x18;
        private const long InterruptClear = 0x08;
        private const long FirstStream = 0x10;
    }
}
